//! `spacetime generate --lang python`: from the command's options to a package.
//!
//! Part of spacetime-py, Apache-2.0 OR MIT.

use crate::tasks::python::package::{module_name, write_package};
use clap::ArgMatches;
use spacetime_py_codegen::Options;
use spacetimedb_lib::db::raw_def::v9::RawModuleDefV9;
use spacetimedb_lib::sats::serde::SerdeWrapper;
use spacetimedb_schema::def::ModuleDef;
use std::path::PathBuf;

pub fn generate(module: ModuleDef, args: &ArgMatches) -> anyhow::Result<()> {
    let schema = serde_json::to_string(SerdeWrapper::from_ref(&RawModuleDefV9::from(module)))?;
    let path = |id| args.get_one::<PathBuf>(id).cloned();
    let file =
        if args.contains_id("json_module") { path("json_module") } else { path("wasm_file").or(path("project_path")) };
    let source = file.unwrap_or_else(|| PathBuf::from("module"));
    let options = Options { module_name: module_name(&source)?, include_private: false };
    let folder = path("out_dir").unwrap_or_default();
    write_package(&schema, &options, &folder, args.get_flag("force"))
}
