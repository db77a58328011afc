"""The personalizer and all that reads, rebuilds or erases what it keeps."""
