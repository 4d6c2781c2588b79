"""Networks at a point: layers, losses, their layer Jacobians and parameter gradients."""
