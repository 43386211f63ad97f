//! `spacetime init --lang python`.
//!
//! Part of spacetime-py, Apache-2.0 OR MIT.

use crate::tasks::python::template::{check_for_python, write_files};
use colored::Colorize;
use std::path::Path;

const FILES: [(&str, &str); 7] = [
    ("pyproject.toml", include_str!("../project/python/pyproject._toml")),
    ("requirements.txt", include_str!("../project/python/requirements._txt")),
    (".gitignore", include_str!("../project/python/_gitignore")),
    ("README.md", include_str!("../project/python/README.md")),
    ("AGENTS.md", include_str!("../project/python/AGENTS.md")),
    ("src/module/__init__.py", include_str!("../project/python/src/module/__init__._py")),
    ("src/module/main.py", include_str!("../project/python/src/module/main._py")),
];

/// Writes a module into an empty folder, whose name it takes.
pub fn exec_init_python(project_path: &Path) -> anyhow::Result<()> {
    let folder = std::path::absolute(project_path)?;
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    write_files(project_path, FILES, &name)?;
    check_for_python();
    super::check_for_git();
    println!("{}", format!("Project successfully created at path: {}", project_path.display()).green());
    Ok(())
}
