"""From a connection to an answer: HTTP/1.1, signatures, what is refused before any service sees it, dispatch."""
