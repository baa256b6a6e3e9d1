"""Linear gates and experts: one objective with exact derivatives serves every M-step and the marginal likelihood."""
