"""Number the variables and relations that rules of a water network speak of."""

DEMAND, HEAD, LEVEL, FLOW, STATUS, SETTING, TIME, CLOCK, FILL_TIME, DRAIN_TIME = range(10)
"""What a premise looks at; LEVEL is head over the node's elevation, so pressure at a junction too."""

EQUAL, UNEQUAL, AT_MOST, AT_LEAST, BELOW, ABOVE = range(6)
"""How it compares."""

CLOSED, OPEN, ACTIVE = 0, 1, 2
"""Status of a link."""

WHEN_BELOW, WHEN_ABOVE, WHEN_TIME, WHEN_CLOCK = range(4)
"""What releases a simple control."""
