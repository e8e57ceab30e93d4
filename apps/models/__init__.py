"""What the Models page is made of: page_*.py are its parts, the other modules plain data."""
