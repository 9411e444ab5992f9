"""What a body shows of itself."""


class Sight:
    """What the controller sees of its body after a run, or at a start."""

    def __init__(self, slot, latched, home, counter):
        self.slot = slot  # the one that really turned since the sensor was armed, or None
        self.latched = latched  # whether something fell since then; None: no sensor is fitted
        self.home = home  # the motor stands at its home switch
        self.counter = counter  # of sales, never going back
        self.powered = True  # the motor got current in this run
        self.completed = True  # the run ended by itself, the time to fall included
