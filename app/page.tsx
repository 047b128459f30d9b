export default function StatusPage() {
  return (
    <main className="mx-auto max-w-xl p-8">
      <h1 className="text-xl font-semibold">Postern</h1>
      <p className="mt-2">The control plane runs. The console is not built yet: use the command line, `npx postern --help`.</p>
    </main>
  )
}
