"""What models learn from and are measured on: texts with labels, read, written by hand or made."""
