"""How fast and how well scanrill reads, measured; README.md has the tables."""
