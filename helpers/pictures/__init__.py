"""Draw the live diagram; the shapes and colours of everything that is drawn."""
