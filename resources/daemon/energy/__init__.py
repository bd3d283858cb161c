"""What is decided about loads, apart from any vendor and any wire: it imports neither devices nor the socket.

`levels.py`: what a load is wanted to be and what it is proved to be.
"""
