"""A town: many entities in several processes on one machine, on real sockets, for demonstrations, tests and studies."""
