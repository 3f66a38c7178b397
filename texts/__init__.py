"""What is measured from a text. Knows texts and numbers; nothing of stores, files or screens."""
