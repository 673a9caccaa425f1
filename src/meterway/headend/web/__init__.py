"""The head end's pages for operators and its REST API, for people, programs and Prometheus."""
