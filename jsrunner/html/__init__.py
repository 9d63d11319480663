"""HTML documents for k6/html: parser, relations of nodes, selectors and markup, without scripts."""
