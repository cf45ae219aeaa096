"""`rvbbit-fdw doctor`: looks for the faults that people meet, and says what each is and how it is mended."""
