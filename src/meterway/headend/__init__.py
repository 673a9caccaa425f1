"""The head end (HES, central communication system): reads, commands and watches the meters of its area."""
