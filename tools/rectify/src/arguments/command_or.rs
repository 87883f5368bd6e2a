//! A command of a group, or the arguments of what the group does without one: `hold list`, or `hold CONTROL RESOURCE`.

use clap::error::Error;
use clap::{ArgMatches, Args, Command, FromArgMatches, Subcommand};

/// Either of both. After an argument, the name of a command is a value.
#[derive(Debug)]
pub(crate) enum CommandOr<C, A> {
    /// A command.
    Command(C),
    /// The arguments without a command.
    Arguments(A),
}

impl<C: Subcommand, A: Args> Args for CommandOr<C, A> {
    fn augment_args(command: Command) -> Command {
        either(C::augment_subcommands(A::augment_args(command)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        either(C::augment_subcommands_for_update(A::augment_args_for_update(command)))
    }
}

fn either(command: Command) -> Command {
    command.args_conflicts_with_subcommands(true).subcommand_negates_reqs(true)
}

impl<C: Subcommand, A: Args> FromArgMatches for CommandOr<C, A> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        match matches.subcommand_name() {
            Some(_) => C::from_arg_matches(matches).map(Self::Command),
            None => A::from_arg_matches(matches).map(Self::Arguments),
        }
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
