#!/bin/sh
# Tells Verbale over HTTP that an incident is opened, and prints what became of the message. Needs curl 7.76 or newer.

now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
curl --silent --show-error --fail-with-body --retry 5 "$VERBALE_URL/messages" \
  --header "Authorization: Bearer $VERBALE_TOKEN" \
  --header "Content-Type: application/cloudevents+json" \
  --data-binary @- <<END
{"specversion": "1.0", "source": "monitor", "id": "INC43 opened $now", "type": "verbale.incident.open.v1",
 "subject": "incident-INC43", "time": "$now",
 "data": {"contract": "acme-2026", "impact": "high", "urgency": "medium"}}
END
