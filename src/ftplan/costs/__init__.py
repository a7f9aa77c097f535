"""What a plan costs: FLOPs, steps, hours and money, each formula once, with its source and its limits."""
