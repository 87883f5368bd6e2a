//! Functions of no control: what heals a finding whose event was lost, and the way back as a function.
