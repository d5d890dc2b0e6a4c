"""The live diagram, and the shapes and colours of everything that is drawn."""
