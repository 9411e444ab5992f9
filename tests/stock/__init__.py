"""What lies in the slots of machines."""
