"""What decides: plan, brain, algorithms, samplers, schedules. Pure functions of what they are given."""
