"""The machine simulator: its brain, its journal, its body, and all of it over real wires."""
