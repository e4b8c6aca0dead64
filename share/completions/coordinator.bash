# bash completion of coordinator(1)

_coordinator() {
	local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]} options
	local keys='dataset.path dataset.format dataset.header dataset.delimiter dataset.target dataset.features dataset.missing workers training.optimizer training.learning_rate training.epochs training.tolerance training.standardize training.aggregation training.initial.w training.initial.b recovery.policy recovery.worker_timeout_s recovery.max_restarts recovery.restart_window_s recovery.backup_after recovery.replicas recovery.allow_degraded isolation.enabled isolation.max_memory_mb isolation.max_cpu_s checkpoint.path checkpoint.every_epochs faults chaos.seed chaos.rate chaos.kinds output.model output.events output.trace output.report output.faults'
	COMPREPLY=()
	case $command in
	campaign) options='--config --set --quiet --json --runs --seed --jobs --failures --help --version' ;;
	predict) options='--model --data --output --workers --quiet --help --version' ;;
	generate) options='--output --rows --features --noise --seed --quiet --help --version' ;;
	convert) options='--quiet --help --version' ;;
	*) options='--config --set --check --resume --quiet --json --progress --explain --bandwidth --help --version' ;;
	esac
	case $previous in
	--set | -s)
		mapfile -t COMPREPLY < <(compgen -S = -W "$keys" -- "$current")
		compopt -o nospace
		return
		;;
	--progress)
		mapfile -t COMPREPLY < <(compgen -W 'auto workers bar lines' -- "$current")
		return
		;;
	--failures)
		mapfile -t COMPREPLY < <(compgen -d -- "$current")
		return
		;;
	--runs | -n | --seed | --jobs | -j | --workers | -w | --rows | -r | --features | -f | --noise) return ;;
	--config | -c | --model | -m | --data | -d | --output | -o)
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
		compopt -o filenames
		return
		;;
	esac
	if [[ $current == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$options" -- "$current")
	elif ((COMP_CWORD == 1)); then
		mapfile -t COMPREPLY < <(compgen -W 'campaign predict generate convert' -- "$current")
	elif [[ $command == convert ]]; then
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
		compopt -o filenames
	fi
}

complete -F _coordinator coordinator
