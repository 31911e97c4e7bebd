//! Minimum-volume enclosing (Löwner–John) ellipsoids.
