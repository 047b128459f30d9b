/** What a shell reads once. It asks us again for every word, so that it never has to be made anew. */
export const SCRIPTS = {
  bash: `# postern completion bash: put this into ~/.bashrc:  eval "$(postern completion bash)"
COMP_WORDBREAKS=\${COMP_WORDBREAKS//[@:]/}
_postern() {
  local value rest
  COMPREPLY=()
  while IFS=$'\\t' read -r value rest; do COMPREPLY+=("$value"); done < <(postern __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _postern postern
`,
  zsh: `#compdef postern
# postern completion zsh: put this into ~/.zshrc, after compinit:  eval "$(postern completion zsh)"
_postern() {
  local -a found
  local value rest
  while IFS=$'\\t' read -r value rest; do found+=("\${value//:/\\\\:}:$rest"); done < <(postern __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( $#found )); then _describe -t postern postern found; else _files; fi
}
compdef _postern postern
`,
  fish: `# postern completion fish > ~/.config/fish/completions/postern.fish
complete -c postern -a '(postern __complete (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)'
`,
  pwsh: `# postern completion pwsh: put this into $PROFILE:  postern completion pwsh | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName postern -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $words = @($commandAst.CommandElements | Select-Object -Skip 1 | ForEach-Object { $_.ToString() })
  if ($wordToComplete -eq '') { $words += '' }
  postern __complete @words 2>$null | ForEach-Object {
    $value, $text = $_ -split "\`t", 2
    [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $(if ($text) { $text } else { $value }))
  }
}
`,
} as const

export type Shell = keyof typeof SCRIPTS
