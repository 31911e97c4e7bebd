//! The nonholonomic robot.
