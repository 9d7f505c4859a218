"""Public JSON, headers and parameters ⇄ domain: what comes in is parsed once, here, and is valid ever after."""
