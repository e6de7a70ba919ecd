//! One request, observed: what left us and what came back.
