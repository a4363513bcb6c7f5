mod damage;
mod files;
mod processes;
