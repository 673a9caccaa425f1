"""The migrations, one file a step, in the order their ``down_revision`` tells."""
