"""Generated mistakes over the code that carries the promise, and which of them no test notices."""
