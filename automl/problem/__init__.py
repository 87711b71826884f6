"""What is searched for: the search space, its conditions, the metric. Opens no file."""
