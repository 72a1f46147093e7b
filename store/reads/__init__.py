"""Named reads: what the pages, the API and the exports ask of the store, each inside a region scope."""
