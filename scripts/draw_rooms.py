"""Prints the rooms of the code, floor by floor: which room imports which, how many floors there are, and any circle.

    python scripts/draw_rooms.py

A room is a package or a module right below `automl`, or all of `workflows`. Its floor is one above the highest room
that it imports. Exit code 1 says that there is a circle, of rooms or of modules.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter

import grimp

PACKAGES = ("automl", "workflows")
Imports = Mapping[str, set[str]]  # an importer and what it imports


def module_imports() -> Imports:
    """What every module imports, of the modules of both packages."""
    graph = grimp.build_graph(*PACKAGES)
    return {module: set(graph.find_modules_directly_imported_by(module)) for module in sorted(graph.modules)}


def room_imports(modules: Imports) -> Imports:
    """What every room imports of the other rooms.

    The package `automl` itself is left out: it holds the version, which any room may read, and the face of
    `open_study`, which no room needs.
    """
    rooms: defaultdict[str, set[str]] = defaultdict(set)
    for module, imports in modules.items():
        if module != "automl":
            room = _room(module)
            rooms[room] |= {_room(imported) for imported in imports - {"automl"}} - {room}
    return rooms


def circle(imports: Imports) -> list[str]:
    """Names of which each is imported by the next, the first and the last the same; empty when there is no circle."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def floors(rooms: Imports) -> list[list[str]]:
    """The rooms of each floor, from the ground up. There must be no circle."""
    height: dict[str, int] = {}
    for room in TopologicalSorter(rooms).static_order():
        height[room] = max((height[imported] + 1 for imported in rooms[room]), default=0)
    return [sorted(room for room in rooms if height[room] == floor) for floor in range(max(height.values()) + 1)]


def _room(module: str) -> str:
    package, _, rest = module.partition(".")
    return f"automl.{rest.partition('.')[0]}" if package == "automl" else package


def main() -> int:
    """Prints the picture from the top floor down."""
    modules = module_imports()
    rooms = room_imports(modules)
    circles = [names for names in (circle(rooms), circle(modules)) if names]
    for names in circles:
        print(f"circle: {' <- '.join(names)}")
    if circle(rooms):
        return 1
    storeys = floors(rooms)
    for floor, names in reversed(list(enumerate(storeys))):
        for room in names:
            imported = " ".join(sorted(name.removeprefix("automl.") for name in rooms[room]))
            print(f"{floor:>2}  {room:<20} {imported}".rstrip())
    print(f"{len(rooms)} rooms on {len(storeys)} floors, {'no circle' if not circles else 'with a circle'}")
    return 1 if circles else 0


if __name__ == "__main__":
    sys.exit(main())
