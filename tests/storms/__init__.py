"""Long histories of faults; each ends with the books balanced."""
