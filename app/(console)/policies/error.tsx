'use client'
import { PageFailure } from '../../_ui/failure.tsx'

export default PageFailure
