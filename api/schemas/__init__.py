"""The shapes of the JSON API: what each answer holds, with Chinese descriptions for its documentation."""
