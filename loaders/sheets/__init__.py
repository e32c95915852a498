"""Map sheets: which one a drawing is, how it takes its old state's place alone, the index of all, and their edges."""
