//! `spacetime generate --lang python`: from the command's options to a package.
//!
//! Part of spacetime-py, Apache-2.0 OR MIT.

use super::GenerateRunConfig;
use crate::tasks::python::package::{module_name, write_package};
use spacetime_py_codegen::Options;
use spacetimedb_lib::db::raw_def::v10::RawModuleDefV10;
use spacetimedb_lib::db::raw_def::v9::RawModuleDefV9;
use spacetimedb_lib::sats::serde::SerdeWrapper;
use spacetimedb_schema::def::{ModuleDef, RawModuleDefVersion};
use std::path::{Path, PathBuf};

pub fn generate(
    module: ModuleDef,
    run: &GenerateRunConfig,
    json_module: Option<&[PathBuf]>,
    force: bool,
) -> anyhow::Result<()> {
    let file = match json_module {
        Some(files) => files.first().map_or(Path::new("module"), PathBuf::as_path),
        None => run.wasm_file.as_ref().or(run.js_file.as_ref()).unwrap_or(&run.project_path),
    };
    let options = Options { module_name: module_name(file)?, include_private: run.include_private };
    write_package(&to_json(module)?, &options, &run.out_dir, force)
}

/// In the version it came in: the other one would not say the same of names and of what is private.
fn to_json(module: ModuleDef) -> serde_json::Result<String> {
    match module.raw_module_def_version() {
        RawModuleDefVersion::V9OrEarlier => {
            serde_json::to_string(SerdeWrapper::from_ref(&RawModuleDefV9::from(module)))
        }
        RawModuleDefVersion::V10 => serde_json::to_string(SerdeWrapper::from_ref(&RawModuleDefV10::from(module))),
    }
}
