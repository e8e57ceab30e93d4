"""What the Home page shows: an example of each sense, answered by its released network."""
