"""The radio link layer of EN 13757-4: frames with and without their checks, control fields, modes."""
