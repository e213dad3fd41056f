FROM python:3.13-slim
WORKDIR /app
COPY requirements.lock .
RUN pip install --no-cache-dir --require-hashes --requirement requirements.lock
COPY . .
RUN useradd --create-home steadyhand && install --directory --owner=steadyhand --mode=700 /data
USER steadyhand
ENV PYTHONUNBUFFERED=1
CMD ["python", "worker.py"]
