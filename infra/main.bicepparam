// For azd, which looks for a file of this name. It is a development environment: uat and prod have their own files.
using 'main.bicep'

import { developmentSize } from 'development.bicep'

param environmentName = 'dev'
param project = readEnvironmentVariable('ARCHIVE_PROJECT', 'avvisi')
param location = readEnvironmentVariable('AZURE_LOCATION', 'italynorth')
param regionCode = readEnvironmentVariable('ARCHIVE_REGION_CODE', 'itn')
param alertEmails = [readEnvironmentVariable('ALERT_EMAIL', 'archivio-avvisi@example.invalid')]
param operatorsGroupId = readEnvironmentVariable('OPERATORS_GROUP_ID', '')
param budgetStart = readEnvironmentVariable('BUDGET_START', '2027-01-01')
param storeBudgetSeconds = readEnvironmentVariable('STORE_BUDGET_SECONDS', '5')
param awaitedHours = readEnvironmentVariable('AWAITED_HOURS', '24')
param extraTags = { 'azd-env-name': readEnvironmentVariable('AZURE_ENV_NAME', 'dev') }
param size = developmentSize
