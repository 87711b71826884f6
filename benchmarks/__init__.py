"""How good the search is: our samplers and their peers on recorded trainings, side by side at equal seeds."""
