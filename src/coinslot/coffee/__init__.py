"""Coffee machines that a vendor's telemetry commands: a customer scans the code on the machine's
screen, pays, and the machine is told to make one cup, once. Nobody says whether the cup came."""
