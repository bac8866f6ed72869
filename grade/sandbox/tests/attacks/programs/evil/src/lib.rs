//! Says what the macro could do while this was compiled.

compile_error!(steal::everything!());
