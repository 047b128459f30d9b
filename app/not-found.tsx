export default function NotFound() {
  return (
    <main className="mx-auto max-w-2xl px-6 py-12">
      <h1 className="text-2xl font-semibold">Not found</h1>
      <p className="mt-2">There is no such page. What runs is shown on the front page.</p>
    </main>
  )
}
