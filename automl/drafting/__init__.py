"""A study file for what a user has: a program's command line, a function, another tool's search."""
