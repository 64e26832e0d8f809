"""From a request to a plan: model, parameters, size, price. Pure; writes nothing."""
